/**
 * Plausible bugs of the room, each a change of one file of its code. The property test has to find every one of them:
 * `npm run mutants`. What is replaced (`from`, and the first of each `also`) must be in the file exactly once.
 */
export const MUTANTS = [
  {
    name: "broadcast before write",
    why: "what storage says of the insertion comes too late: the message is out",
    file: "core/src/features/send.rs",
    from: "    if !messages::insert(turn.db, &message)? {",
    to: `    let shape = people::new_message(turn, &message)?;
    let classic = turn.state.sockets.classic();
    turn.send(classic, shape);
    let encode = |shape: v1::Message<'_>| Logged::NewMessage { seq: message.id, message: shape }.encode();
    let event = people::v1_message(turn, &message, &Around::default(), None, encode)?;
    turn.publish(event, true);
    if !messages::insert(turn.db, &message)? {`,
    also: [
      ["        let classic = turn.state.sockets.classic();\n        turn.send(classic, frame);\n    }\n    if turn.state.sockets.any_v1()", "        drop(frame);\n    }\n    if turn.state.sockets.any_v1()"],
      ["        turn.publish(event, true);\n", "        drop(event);\n"],
    ],
  },
  {
    name: "a failed write is ignored",
    why: "the message is acknowledged though its row was refused",
    file: "core/src/features/send.rs",
    from: "    if !messages::insert(turn.db, &message)? {",
    to: "    if !messages::insert(turn.db, &message).unwrap_or(true) {",
  },
  {
    name: "lost on evict: how far a client has pulled",
    why: "a client that was behind counts as live after a hibernation",
    file: "core/src/session.rs",
    from: "    #[serde(default)]\n    pub behind: Option<Seq>,",
    to: "    #[serde(skip)]\n    pub behind: Option<Seq>,",
  },
  {
    name: "lost on evict: a read mark",
    why: "a mark that moved does not go into the attachments",
    file: "core/src/features/read.rs",
    from: "            session.set_mark(mark.clone());\n        }\n        turn.attach(conn);",
    to: "            session.set_mark(mark.clone());\n        }",
  },
  {
    name: "double on retry",
    why: "a repeat is compared with what the message says now, not with what it said first",
    file: "core/src/features/send.rs",
    from: "    if stored.content == content || stored.is_deleted() {\n        return Ok(true);\n    }",
    to: "    if stored.content == content || stored.is_deleted() {\n        return Ok(true);\n    }\n    if stored.extra.last_edit.is_some() {\n        return Ok(false);\n    }",
  },
  {
    name: "hole on resume",
    why: "a client that was given a full chunk is taken to have everything",
    file: "core/src/features/resume.rs",
    from: "    Ok(Chunk { events, last, more: last < head })",
    to: "    let more = (events.len() as i64) < limit && last < head;\n    Ok(Chunk { events, last, more })",
  },
  {
    name: "stale permission",
    why: "a member's row is written, and the one in memory stays as it was",
    file: "core/src/store/members.rs",
    from: "        self.keep(member.user.clone(), Some(member));",
    to: "        self.cache.entry(member.user.clone()).or_insert(Some(member));",
  },
  {
    name: "mark going back",
    why: "whoever reads an older message is put back there",
    file: "core/src/store/marks.rs",
    from: "        if up_to <= self.up_to() {",
    to: "        if up_to == self.up_to() {",
  },
  {
    name: "id reused after pruning",
    why: "the highest position given is not kept apart from the rows",
    file: "core/src/features/prune.rs",
    from: '        meta::set(turn.db, "seq_floor", &head.0.to_string())?;\n',
    to: "",
  },
  {
    name: "snapshot and flush both",
    why: "whoever joins gets the events of the turn that their snapshot holds already",
    file: "core/src/fanout.rs",
    from: "        self.own.insert(conn, Own { joined: at, live: live.then_some(at), events: Vec::new() });",
    to: "        self.own.insert(conn, Own { joined: at, live: live.then_some(0), events: Vec::new() });",
  },
  {
    name: "the removed stay connected",
    why: "taking a member out closes no socket",
    file: "core/src/features/membership.rs",
    from: "    dismiss(turn, user, CloseCode::Removed, |_| true)?;\n    contacts::gone(turn, user)",
    to: "    contacts::gone(turn, user)",
  },
  {
    name: "expired tokens are looked for after the turn",
    why: "a socket whose token has ended gets one turn more",
    file: "core/src/room.rs",
    from: "        auth::expire(&mut turn)?;\n        for input in inputs {\n            turn.take(input)?;\n        }",
    to: "        for input in inputs {\n            turn.take(input)?;\n        }\n        auth::expire(&mut turn)?;",
  },
];
