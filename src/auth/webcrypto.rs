//! Signatures of public keys, by the runtime's own Web Crypto: native speed, and no bytes of ours.

use js_sys::futures::JsFuture;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, SubtleCrypto, WorkerGlobalScope};

use super::key::{Algorithm, PublicKey};

pub async fn import(algorithm: Algorithm, key: &PublicKey) -> Result<CryptoKey, JsValue> {
    let (format, data): (_, Object) = match key {
        PublicKey::Spki(der) => ("spki", Uint8Array::from(der.as_slice()).into()),
        PublicKey::Jwk(members) => ("jwk", JSON::parse(&Value::from(members.clone()).to_string())?.dyn_into()?),
    };
    let usages = Array::of1(&JsValue::from_str("verify"));
    let import = subtle()?.import_key_with_object(format, &data, &parameters(algorithm)?, false, &usages)?;
    JsFuture::from(import).await?.dyn_into()
}

pub async fn verify(algorithm: Algorithm, key: &CryptoKey, signature: &[u8], signed: &[u8]) -> Result<bool, JsValue> {
    // Copies: a view into the instance's memory is void as soon as that memory grows.
    let (signature, signed) = (Uint8Array::from(signature), Uint8Array::from(signed));
    let verify = subtle()?.verify_with_object_and_buffer_source_and_buffer_source(
        &parameters(algorithm)?,
        key,
        &signature,
        &signed,
    )?;
    Ok(JsFuture::from(verify).await?.as_bool() == Some(true))
}

/// What both calls need to know of the algorithm; each ignores what is for the other.
fn parameters(algorithm: Algorithm) -> Result<Object, JsValue> {
    let members: &[(&str, &str)] = match algorithm {
        Algorithm::Rs256 => &[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")],
        Algorithm::Es256 => &[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")],
        Algorithm::EdDsa => &[("name", "Ed25519")],
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return Err(JsValue::UNDEFINED),
    };
    let parameters = Object::new();
    for (name, value) in members {
        Reflect::set(&parameters, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    Ok(parameters)
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    let global: WorkerGlobalScope = js_sys::global().unchecked_into();
    Ok(global.crypto()?.subtle())
}
