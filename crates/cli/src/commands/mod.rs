//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod calendar;
pub(crate) mod doctor;
pub(crate) mod due;
pub(crate) mod explain;
pub(crate) mod judge;
pub(crate) mod lapse;
pub(crate) mod manual;
pub(crate) mod record;
pub(crate) mod restore;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod verify;
pub(crate) mod what_if;
