//! Who is in the room: role, names, the kept yes, removal and revocation. A cache of rows, filled as they are asked for.

use std::collections::HashMap;

use crate::db::{Db, DbError, Param, Row};
use crate::ids::{Millis, UserId};
use crate::protocol::internal::{Profile, Role};

/// Rows kept in memory before the cache starts anew: dropped objects free wasm memory late, so caches stay small.
const CACHE_MAX: usize = 2000;

/// Where a member's names come from; a better source is not overwritten by a worse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedBy {
    Nobody = 0,
    Token = 1,
    Backend = 2,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub user: UserId,
    pub role: Role,
    pub profile: Profile,
    pub named_by: NamedBy,
    /// When the backend (or claim, or list) last said yes with a live token; kept for `SESSION_MAX`.
    pub admitted_at: Option<Millis>,
    /// Counts as one of the project's people: shown to others, told of messages.
    pub current: bool,
    /// On the project's own list (`ACCESS=members`).
    pub listed: bool,
    /// Taken out here; outweighs every yes until put back.
    pub removed: bool,
    /// Tokens issued before this moment (seconds) are void.
    pub revoked_before: Option<i64>,
    /// May not write until then.
    pub muted_until: Option<Millis>,
    /// May not enter until then; outweighs every yes.
    pub banned_until: Option<Millis>,
    /// Whose messages they do not want to see.
    pub blocked: Vec<UserId>,
}

impl Member {
    pub fn new(user: UserId) -> Self {
        Member {
            user,
            role: Role::Member,
            profile: Profile::default(),
            named_by: NamedBy::Nobody,
            admitted_at: None,
            current: false,
            listed: false,
            removed: false,
            revoked_before: None,
            muted_until: None,
            banned_until: None,
            blocked: Vec::new(),
        }
    }

    pub fn is_banned(&self, now: Millis) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }
}

/// The columns that [`member`] reads, in its order.
macro_rules! columns {
    () => {
        "user, role, username, first_name, last_name, profile_pic, named_by, admitted_at, current, listed, removed,
        revoked_before, muted_until, banned_until, blocked"
    };
}

#[derive(Default)]
pub struct Members {
    cache: HashMap<UserId, Option<Member>>,
    roster: Option<Vec<UserId>>,
}

impl Members {
    /// # Errors
    /// Storage errors.
    pub fn get(&mut self, db: &mut dyn Db, user: &UserId) -> Result<Option<Member>, DbError> {
        if let Some(known) = self.cache.get(user) {
            return Ok(known.clone());
        }
        let sql = concat!("SELECT ", columns!(), " FROM members WHERE user = ?");
        let found = db.run(sql, &[Param::Text(user.as_str())])?.first().map(member).transpose()?;
        self.keep(user.clone(), found.clone());
        Ok(found)
    }

    /// Writes the member's row, if it differs from the one stored. 1 row.
    ///
    /// # Errors
    /// Storage errors.
    pub fn put(&mut self, db: &mut dyn Db, member: Member) -> Result<(), DbError> {
        let before = self.get(db, &member.user)?;
        if before.as_ref() == Some(&member) {
            return Ok(());
        }
        let sql =
            "INSERT INTO members (user, role, username, first_name, last_name, profile_pic, named_by, admitted_at,
            current, listed, removed, revoked_before, muted_until, banned_until, blocked)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (user) DO UPDATE SET role = excluded.role, username = excluded.username,
            first_name = excluded.first_name, last_name = excluded.last_name, profile_pic = excluded.profile_pic,
            named_by = excluded.named_by, admitted_at = excluded.admitted_at, current = excluded.current,
            listed = excluded.listed, removed = excluded.removed, revoked_before = excluded.revoked_before,
            muted_until = excluded.muted_until, banned_until = excluded.banned_until, blocked = excluded.blocked";
        let blocked = match member.blocked.as_slice() {
            [] => None,
            some => Some(serde_json::to_string(some).map_err(|error| DbError(error.to_string()))?),
        };
        let params = [
            Param::Text(member.user.as_str()),
            Param::Text(role_word(member.role)),
            Param::Text(&member.profile.username),
            Param::Text(&member.profile.first_name),
            Param::Text(&member.profile.last_name),
            member.profile.profile_pic.as_deref().into(),
            Param::Int(member.named_by as i64),
            member.admitted_at.map(|at| at.0).into(),
            Param::Int(member.current.into()),
            Param::Int(member.listed.into()),
            Param::Int(member.removed.into()),
            member.revoked_before.into(),
            member.muted_until.map(|until| until.0).into(),
            member.banned_until.map(|until| until.0).into(),
            blocked.as_deref().into(),
        ];
        db.write(sql, &params)?;
        if before.is_none_or(|before| before.current != member.current) {
            self.roster = None;
        }
        self.keep(member.user.clone(), Some(member));
        Ok(())
    }

    /// Everyone who counts as one of the project's people.
    ///
    /// # Errors
    /// Storage errors.
    pub fn roster(&mut self, db: &mut dyn Db) -> Result<&[UserId], DbError> {
        let roster = match self.roster.take() {
            Some(roster) => roster,
            None => users(&db.run("SELECT user FROM members WHERE current = 1", &[])?)?,
        };
        Ok(self.roster.insert(roster))
    }

    /// Nobody has come or gone since the roster was last asked for.
    pub fn roster_stands(&self) -> bool {
        self.roster.is_some()
    }

    /// Every row, for the server API.
    ///
    /// # Errors
    /// Storage errors.
    pub fn all(&mut self, db: &mut dyn Db) -> Result<Vec<Member>, DbError> {
        let sql = concat!("SELECT ", columns!(), " FROM members ORDER BY user");
        db.run(sql, &[])?.iter().map(member).collect()
    }

    fn keep(&mut self, user: UserId, member: Option<Member>) {
        if self.cache.len() >= CACHE_MAX {
            self.cache.clear();
        }
        self.cache.insert(user, member);
    }
}

fn users(rows: &[Row]) -> Result<Vec<UserId>, DbError> {
    rows.iter().map(|row| Ok(UserId::parse(row.text(0)?))).filter_map(Result::transpose).collect()
}

pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Member => "member",
        Role::Moderator => "moderator",
    }
}

fn member(row: &Row) -> Result<Member, DbError> {
    Ok(Member {
        user: UserId::parse(row.text(0)?).ok_or_else(|| DbError("a member has no id".into()))?,
        role: match row.text(1)? {
            "viewer" => Role::Viewer,
            "moderator" => Role::Moderator,
            _ => Role::Member,
        },
        profile: Profile {
            username: row.text(2)?.to_owned(),
            first_name: row.text(3)?.to_owned(),
            last_name: row.text(4)?.to_owned(),
            profile_pic: row.opt_text(5)?.map(str::to_owned),
        },
        named_by: match row.int(6)? {
            2 => NamedBy::Backend,
            1 => NamedBy::Token,
            _ => NamedBy::Nobody,
        },
        admitted_at: row.opt_int(7)?.map(Millis),
        current: row.int(8)? != 0,
        listed: row.int(9)? != 0,
        removed: row.int(10)? != 0,
        revoked_before: row.opt_int(11)?,
        muted_until: row.opt_int(12)?.map(Millis),
        banned_until: row.opt_int(13)?.map(Millis),
        blocked: row.opt_text(14)?.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
    })
}
