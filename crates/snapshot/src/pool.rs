//! Distinct values, numbered in their canonical order.

use std::collections::HashMap;
use std::hash::Hash;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

/// Distinct strings, numbered as they come.
#[derive(Debug, Default)]
pub struct Strings {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Strings {
    /// The number of a string.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let text: Arc<str> = Arc::from(text);
        let number = self.texts.len() as u32;
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    /// The string of a number that [`Strings::number`] gave.
    pub fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Keeps the strings that `used` marks, in the order of their bytes: the texts, and each old number's new one.
    pub(crate) fn finish(self, used: &[bool]) -> (Vec<String>, Vec<u32>) {
        let mut order: Vec<u32> =
            (0..self.texts.len() as u32).filter(|number| used[*number as usize]).collect();
        order.sort_unstable_by(|a, b| self.texts[*a as usize].cmp(&self.texts[*b as usize]));
        let mut renumbered = std::vec![u32::MAX; self.texts.len()];
        for (new, old) in order.iter().enumerate() {
            renumbered[*old as usize] = new as u32;
        }
        (order.iter().map(|old| String::from(&*self.texts[*old as usize])).collect(), renumbered)
    }
}

/// Distinct values, numbered as they come, then once more in their order.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    numbers: HashMap<T, u32>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { numbers: HashMap::new() }
    }
}

impl Pool<Vec<u32>> {
    /// As [`Pool::number`], of a list that is copied only when it is new.
    pub fn number_of(&mut self, list: &[u32]) -> u32 {
        match self.numbers.get(list) {
            Some(number) => *number,
            None => self.number(list.to_vec()),
        }
    }
}

impl<T: Hash + Eq + Ord + Clone> Pool<T> {
    pub fn number(&mut self, value: T) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(value).or_insert(next)
    }

    /// The values in their order, and each first number's place among them.
    pub fn finish(self) -> (Vec<T>, Vec<u32>) {
        let mut values: Vec<(T, u32)> = self.numbers.into_iter().collect();
        values.sort_unstable();
        let mut renumbered = std::vec![0; values.len()];
        for (new, (_, old)) in values.iter().enumerate() {
            renumbered[*old as usize] = new as u32;
        }
        (values.into_iter().map(|(value, _)| value).collect(), renumbered)
    }
}
