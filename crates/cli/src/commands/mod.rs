//! The commands, one file each.

pub(crate) mod audit;
//CAL
pub(crate) mod due;
pub(crate) mod explain;
//JUDGE
pub(crate) mod lapse;
pub(crate) mod manual;
pub(crate) mod record;
pub(crate) mod rules;
pub(crate) mod run;
//SCHEMA
pub(crate) mod show;
pub(crate) mod verify;
