use chat_core::limits::Limits;

#[test]
fn without_variables_the_defaults_hold() {
    assert_eq!(Limits::read(|_| None), Ok(Limits::default()));
    for limit in Limits::TABLE {
        assert!((limit.min..=limit.max).contains(&limit.default), "{}", limit.variable);
    }
}

#[test]
fn each_can_be_set_by_the_variable_of_its_name() {
    for limit in Limits::TABLE {
        let set = Limits::read(|name| (name == limit.variable).then(|| format!(" {} ", limit.max))).unwrap();
        let differs = limit.max != limit.default;
        assert_eq!(set != Limits::default(), differs, "{}", limit.variable);
    }
}

#[test]
fn a_wrong_value_is_named() {
    for limit in Limits::TABLE {
        for bad in ["many".to_owned(), String::from("1.5"), (limit.max + 1).to_string(), (limit.min - 1).to_string()] {
            let error = Limits::read(|name| (name == limit.variable).then(|| bad.clone())).unwrap_err();
            assert!(error.starts_with(limit.variable), "{error}");
        }
    }
}
