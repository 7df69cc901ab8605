//! What has been tried, for whoever doubts it.

use std::collections::BTreeMap;

use crate::history::{History, Op};

#[derive(Default)]
pub struct Report {
    steps: Vec<usize>,
    members: Vec<usize>,
    done: BTreeMap<Op, usize>,
    pub failure: Option<String>,
}

impl Report {
    pub fn add(&mut self, history: &History, done: &[Op]) {
        self.steps.push(history.steps.len());
        self.members.push(history.members);
        for op in done {
            *self.done.entry(*op).or_default() += 1;
        }
    }

    pub fn failed(&mut self, history: &History, smallest: &History, said: String) {
        let after = self.steps.len() + 1;
        let steps: Vec<String> = smallest.steps.iter().map(|step| format!("{step:?}")).collect();
        self.failure = Some(format!(
            "seed {} failed, history {after}:\n{said}\n{} members, {} steps (| a turn is taken):\n  {}",
            history.seed,
            smallest.members,
            steps.len(),
            steps.join("\n  ")
        ));
    }

    pub fn print(&self) {
        let count = self.steps.len();
        let (steps, members) = (median(&self.steps), median(&self.members));
        println!("{count} histories, {steps} steps and {members} members in the median");
        let all = Op::ALL.iter().map(|(op, _)| (*op, self.done.get(op).copied().unwrap_or(0)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, times)| *times);
        if let Some((op, times)) = all.first() {
            println!("rarest operation: {op:?}, {times} times");
        }
        for row in all.chunks(4) {
            let cells: Vec<_> = row.iter().map(|(op, times)| format!("{:<20}{times:>7}", format!("{op:?}"))).collect();
            println!("  {}", cells.join("   "));
        }
        if let Some(failure) = &self.failure {
            println!("{failure}");
        }
    }
}

fn median(of: &[usize]) -> usize {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}
