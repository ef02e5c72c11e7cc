//! A definition with its named lists written out, so that it can be pinned.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::definition::{CalendarDefinition, Holiday, HolidaysKnown, MakeUpDay};
use crate::error::CalendarError;
use crate::holiday_list::{HolidayList, ListedDay};

impl CalendarDefinition {
    /// The same calendar without reference to lists: their days, notices and range stand in it.
    ///
    /// What a name such as `cn` means may grow from one version of this crate to the next. Who
    /// stores judgements pins the serialised resolved definition, or a digest of it, together
    /// with [`crate::zone_data_version`]; then nothing that is announced later changes them.
    ///
    /// # Errors
    /// [`CalendarError::UnknownHolidayList`].
    pub fn resolved(&self) -> Result<Self, CalendarError> {
        let lists = self.lists()?;
        let mut resolved = self.clone();
        resolved.holidays_known = self.known(&lists);
        resolved.holidays_from.clear();
        // The calendar's own word on a date stands; of several lists the last has it.
        let mut settled: BTreeSet<NaiveDate> =
            self.make_up_days.iter().map(|day| day.date).collect();
        for holiday in &self.holidays {
            settled.extend(
                holiday
                    .from
                    .iter_days()
                    .take_while(|date| *date <= holiday.to),
            );
        }
        for list in lists.iter().rev() {
            // Within a list a day worked overrides a day off.
            for ListedDay { date, name, notice } in list.worked().iter().cloned() {
                if settled.insert(date) {
                    resolved.make_up_days.insert(MakeUpDay {
                        date,
                        like: None,
                        name,
                        notice,
                    });
                }
            }
            for ListedDay { date, name, notice } in list.off().iter().cloned() {
                if settled.insert(date) {
                    resolved.holidays.insert(Holiday {
                        from: date,
                        to: date,
                        name,
                        notice,
                    });
                }
            }
        }
        Ok(resolved)
    }

    /// The lists this definition refers to.
    pub(crate) fn lists(&self) -> Result<Vec<&'static HolidayList>, CalendarError> {
        self.holidays_from
            .iter()
            .map(|name| HolidayList::named(name))
            .collect()
    }

    /// The dates for which holidays are announced: what is written, else what all lists know.
    pub(crate) fn known(&self, lists: &[&HolidayList]) -> Option<HolidaysKnown> {
        self.holidays_known.or_else(|| {
            lists
                .iter()
                .filter_map(|list| list.known())
                .reduce(|a, b| HolidaysKnown {
                    from: a.from.max(b.from),
                    to: a.to.min(b.to),
                })
        })
    }
}
