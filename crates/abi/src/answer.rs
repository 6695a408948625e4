//! The answer, as it crosses the boundary, and the numbers of decisions and errors.

use crate::wire::{Reader, Writer};
use crate::{ANSWER_BYTES_MAX, Malformed};
use alloc::string::String;
use alloc::vec::Vec;
use postern_vocab::{Decision, QueryError, Reason};

/// A list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

/// What a request is answered with. On the wire: the number of the variant, from 0 in this order, then its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a check: the [`code`] of its decision or error.
    Check(u8),
    /// To `filter`: ids. To `subjects`: subjects. To `actions`: permission keys. Sorted by bytes.
    List(Texts),
    /// To `anywhere` and `everywhere`: whether it is allowed.
    Decision(bool),
    /// To all but a check: the code of the error.
    Error(u8),
}

impl Answer {
    /// The bytes of this answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        let (variant, byte) = match self {
            Answer::Check(code) => (0, *code),
            Answer::Decision(allowed) => (2, u8::from(*allowed)),
            Answer::Error(code) => (3, *code),
            Answer::List(list) => {
                writer.u32(1);
                writer.texts(&list.0);
                return writer.0;
            }
        };
        writer.u32(variant);
        writer.0.push(byte);
        writer.0
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no answer, or a code in it is none of ours.
    pub fn from_bytes(bytes: &[u8]) -> Result<Answer, Malformed> {
        let answer = Reader::whole(bytes, ANSWER_BYTES_MAX, |reader| match reader.u32()? {
            0 => reader.byte().map(Answer::Check),
            1 => reader.texts().map(|list| Answer::List(Texts(list))),
            2 => reader.flag().map(Answer::Decision),
            3 => reader.byte().map(Answer::Error),
            _ => Err(Malformed),
        })?;
        match answer {
            Answer::Check(number) if from_code(number).is_none() => Err(Malformed),
            Answer::Error(number) if !matches!(from_code(number), Some(Err(_))) => Err(Malformed),
            known => Ok(known),
        }
    }

    /// The decision or error of a check; `None` for the answers to other questions.
    pub fn reason(&self) -> Option<postern_vocab::Answer> {
        if let Answer::Check(number) = self { from_code(*number) } else { None }
    }
}

impl From<postern_vocab::Answer> for Answer {
    fn from(answer: postern_vocab::Answer) -> Answer {
        Answer::Check(code(answer))
    }
}

impl From<Result<Decision, QueryError>> for Answer {
    fn from(answer: Result<Decision, QueryError>) -> Answer {
        match answer {
            Ok(decision) => Answer::Decision(decision == Decision::Allow),
            Err(error) => Answer::Error(error as u8),
        }
    }
}

impl From<Result<Vec<String>, QueryError>> for Answer {
    fn from(answer: Result<Vec<String>, QueryError>) -> Answer {
        match answer {
            Ok(list) => Answer::List(Texts(list)),
            Err(error) => Answer::Error(error as u8),
        }
    }
}

/// The number of a check's answer: below 16 an allow, below 32 a deny, else an error.
#[inline]
pub fn code(answer: postern_vocab::Answer) -> u8 {
    match answer {
        Ok(reason) => reason as u8,
        Err(error) => error as u8,
    }
}

/// The answer that a number stands for; `None` for a number that stands for none.
#[inline]
pub fn from_code(number: u8) -> Option<postern_vocab::Answer> {
    Some(match number {
        1 => Ok(Reason::Owner),
        2 => Ok(Reason::Assignment),
        3 => Ok(Reason::Grant),
        16 => Ok(Reason::InactiveSubject),
        17 => Ok(Reason::UnknownResource),
        18 => Ok(Reason::InactiveResource),
        19 => Ok(Reason::Excluded),
        20 => Ok(Reason::Narrowed),
        21 => Ok(Reason::UnknownSubject),
        22 => Ok(Reason::NotGranted),
        23 => Ok(Reason::NotInSlice),
        32 => Err(QueryError::InvalidRequest),
        33 => Err(QueryError::UnknownPermission),
        34 => Err(QueryError::NotInSlice),
        _ => return None,
    })
}
