//! Finding out what is wrong and solving it without leaving the house.

use crate::vocabulary::declare::facts;

facts! {
    group handling of Ticket from super::ownership::END;

    /// It was decided how the problem can be solved.
    act triaged Triaged {
        /// By which way: `phone`, `remote`, `onsite` or `unknown`.
        solvable_by: word,
        /// What kind of cause it seems to be, such as `application` or
        /// `os_reinstall`; `unknown` is an answer too.
        cause_kind: word,
        /// Whether the solver is in doubt about the implementation.
        in_doubt: flag,
        /// Conduct somebody vouches for: `phone_tried_first`.
        attested: words,
    }

    /// The problem was put aside until a method has been asked for (临时搁置).
    act parked Parked {
        /// Why.
        reason: personal,
    }

    /// Another department was asked for advice.
    act department_consulted DepartmentConsulted {
        /// Which one, such as `implementation`.
        department: word,
    }

    /// An internal technical consultation took place (技术会诊).
    act consultation_held ConsultationHeld {
        /// What it came to.
        finding: personal,
    }

    /// A technical coordination meeting analysed the cause (技术协调会).
    act coordination_meeting_held CoordinationMeetingHeld {
        /// What it came to.
        finding: personal,
    }

    /// The customer was told how to solve the problem.
    act guidance_given GuidanceGiven {
        /// By which way: `phone`, `remote` or `text`.
        method: word,
        /// What was said.
        guidance: personal,
    }

    /// The customer could not solve the problem as guided.
    event guidance_failed GuidanceFailed {}

    /// The technical team worked on the customer's system from afar.
    act remote_attempted RemoteAttempted {
        /// How it went: `solved` or `failed`.
        outcome: word,
    }

    /// It was confirmed that the problem cannot be solved from afar.
    act remote_ruled_out RemoteRuledOut {
        /// Why.
        reason: personal,
    }

    /// The customer's written report arrived (书面报告).
    event written_report_received WrittenReportReceived {
        /// The number of the report.
        report: word,
    }

    /// A change of a function of the application was approved.
    act change_approved ChangeApproved {
        /// What may be changed.
        change: personal,
    }

    /// The customer was told that the task is not ours, and whose it is.
    act out_of_scope_explained OutOfScopeExplained {
        /// What was said.
        explanation: personal,
    }

    /// The customer unit authorised that a way around a password be disclosed.
    event bypass_authorised BypassAuthorised {
        /// In which form: `written`, `in_person` or `phone`.
        form: word,
        /// Who spoke for the customer unit.
        representative: personal,
    }

    /// A way around a password was disclosed to the customer.
    act bypass_disclosed BypassDisclosed {}
}
