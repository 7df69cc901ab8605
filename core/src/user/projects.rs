//! The user's tables: their projects with the contacts entry of each, and their revocation.

use serde_json::json;

use crate::db::{Db, DbError, Param, Row};
use crate::effect::Answer;
use crate::ids::{Millis, ProjectId};
use crate::protocol::internal::{KnownProject, LearnedSummary, ProjectInfo, Projects, UserCall};

const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    // `summary` is NULL while it is out of date; `version` counts how often it went out of date, so that an entry
    // fetched before a change is not kept after it. A project that is `gone` keeps its row: an entry on its way must
    // not bring it back, and its room is still told of a revocation.
    "CREATE TABLE projects (
        project TEXT PRIMARY KEY,
        summary TEXT,
        version INTEGER NOT NULL,
        confirmed_at INTEGER,
        name TEXT,
        created_at TEXT,
        gone INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
]];

/// Answers a call: one short turn on the tables, of which nothing is kept in memory.
///
/// # Errors
/// Storage errors.
pub fn answer(now: Millis, call: UserCall, db: &mut dyn Db) -> Result<Answer, DbError> {
    let made = !db.run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'", &[])?.is_empty();
    // Asking leaves no trace: a database is made for those only who are in a project or were revoked.
    let asks = matches!(call, UserCall::Projects { .. } | UserCall::Revocation);
    let done = if made { meta(db, "schema")?.unwrap_or(0) } else { 0 };
    if made || !asks {
        let record = |db: &mut dyn Db, done: usize| set(db, "schema", i64::try_from(done).unwrap_or(0));
        crate::db::migrate(db, MIGRATIONS, usize::try_from(done).unwrap_or(0), record)?;
    }
    let exists = made || !asks;
    match call {
        UserCall::Projects { claimed } => projects(db, exists, &claimed),
        UserCall::Learn { list, summaries, confirmed, gone, claimed } => {
            if let Some(list) = list {
                learn_list(db, &list)?;
                set(db, "list_at", now.0)?;
            }
            for learned in summaries {
                learn_summary(db, now, &learned, confirmed.contains(&learned.project))?;
            }
            for project in confirmed {
                confirm(db, now, &project)?;
            }
            for project in gone {
                forget(db, &project)?;
            }
            projects(db, true, &claimed)
        }
        UserCall::Tell { project, gone, asked } => {
            if gone {
                forget(db, &project)?
            } else {
                outdate(db, &project, asked)?
            }
            Ok(Answer::json(200, &json!({})))
        }
        UserCall::Revocation => {
            let before = if exists { meta(db, "revoked_before")? } else { None };
            Ok(Answer::json(200, &json!({ "revoked_before": before })))
        }
        UserCall::Revoke { before } => {
            let before = before.max(meta(db, "revoked_before")?.unwrap_or(0));
            set(db, "revoked_before", before)?;
            let rows = db.run("SELECT project FROM projects ORDER BY project", &[])?;
            let known = rows.iter().map(|row| project_id(row, 0)).collect::<Result<Vec<_>, _>>()?;
            Ok(Answer::json(200, &json!({ "projects": known, "revoked_before": before })))
        }
    }
}

pub(super) fn meta(db: &mut dyn Db, key: &str) -> Result<Option<i64>, DbError> {
    db.run("SELECT value FROM meta WHERE key = ?", &[Param::Text(key)])?.first().map(|row| row.int(0)).transpose()
}

fn set(db: &mut dyn Db, key: &str, value: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    db.write(sql, &[Param::Text(key), Param::Int(value)]).map(drop)
}

pub(super) fn list(db: &mut dyn Db) -> Result<Vec<KnownProject>, DbError> {
    let sql = "SELECT project, summary, version, confirmed_at, name, created_at FROM projects
        WHERE gone = 0 ORDER BY project";
    let rows = db.run(sql, &[])?;
    rows.iter()
        .map(|row| {
            Ok(KnownProject {
                project: project_id(row, 0)?,
                summary: row.opt_text(1)?.and_then(|text| serde_json::from_str(text).ok()),
                version: row.int(2)?,
                confirmed_at: row.opt_int(3)?.map(Millis),
                name: row.opt_text(4)?.map(str::to_owned),
                created_at: row.opt_text(5)?.map(str::to_owned),
            })
        })
        .collect()
}

fn project_id(row: &Row, index: usize) -> Result<ProjectId, DbError> {
    ProjectId::parse(row.text(index)?).ok_or_else(|| DbError("not a project id".into()))
}

fn projects(db: &mut dyn Db, exists: bool, claimed: &[ProjectId]) -> Result<Answer, DbError> {
    let mut projects = if exists { list(db)? } else { Vec::new() };
    for project in claimed {
        if !projects.iter().any(|known| known.project == *project) {
            projects.push(KnownProject {
                project: project.clone(),
                summary: None,
                version: 0,
                confirmed_at: None,
                name: None,
                created_at: None,
            });
        }
    }
    let list_at = if exists { meta(db, "list_at")?.map(Millis) } else { None };
    let revoked_before = if exists { meta(db, "revoked_before")? } else { None };
    Ok(Answer::json(200, &Projects { projects, list_at, revoked_before }))
}

/// The backend's own list is the whole truth: what is not on it is not theirs.
fn learn_list(db: &mut dyn Db, named: &[ProjectInfo]) -> Result<(), DbError> {
    let known = list(db)?;
    for old in known.iter().filter(|old| !named.iter().any(|info| info.id == old.project)) {
        forget(db, &old.project)?;
    }
    for info in named {
        let old = known.iter().find(|old| old.project == info.id);
        if old.is_some_and(|old| old.name == info.name && old.created_at == info.created_at) {
            continue; // nothing to write: each row costs
        }
        let sql = "INSERT INTO projects (project, version, name, created_at) VALUES (?, 0, ?, ?)
            ON CONFLICT (project) DO UPDATE SET name = excluded.name, created_at = excluded.created_at,
            gone = 0";
        let params = [Param::Text(info.id.as_str()), info.name.as_deref().into(), info.created_at.as_deref().into()];
        db.run(sql, &params)?;
    }
    Ok(())
}

fn learn_summary(db: &mut dyn Db, now: Millis, learned: &LearnedSummary, confirmed: bool) -> Result<(), DbError> {
    let text = learned.summary.to_string();
    // A room's word that came after this entry was fetched has raised the version: then the entry stays out of date.
    let sql = "INSERT INTO projects (project, summary, version, confirmed_at) VALUES (?, ?, ?, ?)
        ON CONFLICT (project) DO UPDATE SET summary = excluded.summary,
        confirmed_at = coalesce(excluded.confirmed_at, confirmed_at) WHERE version = excluded.version";
    let confirmed_at: Option<i64> = confirmed.then_some(now.0);
    let params =
        [Param::Text(learned.project.as_str()), Param::Text(&text), Param::Int(learned.version), confirmed_at.into()];
    db.write(sql, &params).map(drop)
}

fn confirm(db: &mut dyn Db, now: Millis, project: &ProjectId) -> Result<(), DbError> {
    let sql = "UPDATE projects SET confirmed_at = ? WHERE project = ? AND coalesce(confirmed_at, 0) <> ?";
    db.write(sql, &[Param::Int(now.0), Param::Text(project.as_str()), Param::Int(now.0)]).map(drop)
}

fn forget(db: &mut dyn Db, project: &ProjectId) -> Result<(), DbError> {
    let sql = "UPDATE projects SET gone = 1, summary = NULL, confirmed_at = NULL, version = version + 1
        WHERE project = ? AND gone = 0";
    db.write(sql, &[Param::Text(project.as_str())]).map(drop)
}

/// Writes nothing when the entry is out of date already, unless a fetched one may be on its way.
fn outdate(db: &mut dyn Db, project: &ProjectId, asked: bool) -> Result<(), DbError> {
    let sql = "INSERT INTO projects (project, summary, version) VALUES (?, NULL, 1)
        ON CONFLICT (project) DO UPDATE SET summary = NULL, version = version + 1, gone = 0
        WHERE summary IS NOT NULL OR gone = 1 OR ?";
    db.write(sql, &[Param::Text(project.as_str()), Param::Int(asked.into())]).map(drop)
}
