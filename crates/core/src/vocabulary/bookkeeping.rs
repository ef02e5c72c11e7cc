//! Facts about the record itself: they may stand in every stream, whatever its
//! process.

use crate::vocabulary::declare::facts;

facts! {
    group bookkeeping of Any from 0;

    /// An earlier fact of this stream was declared wrong. It stays where it is;
    /// verdicts as known from now on no longer count it.
    act fact_retracted FactRetracted {
        /// The id of the record that was wrong.
        record: word,
        /// Why it was wrong.
        reason: personal,
    }

    /// The stream is judged by another rulebook from here on.
    act rulebook_adopted RulebookAdopted {
        /// The digest of the rulebook.
        digest: word,
        /// The name of the manual it was compiled from.
        manual: word,
        /// Why the rulebook changed.
        reason: personal,
    }
}
