//! One on-site dispatch order, from request to archive. A ticket may hold
//! several; each fact belongs to one by its key.

use crate::vocabulary::declare::facts;

facts! {
    group visit of Ticket from super::talk::END;

    /// An on-site visit was asked for (现场派发请求).
    act dispatch_requested DispatchRequested [visit] {
        /// The number of the hotline service sheet (热线服务单).
        service_sheet: word,
        /// The recommendation written on it (建议派发现场).
        recommendation: personal,
        /// Whether the request needed a visit from the outset (直接派发).
        direct: flag,
        /// Why it did.
        direct_reason: personal,
    }

    /// The request record was checked and found correct.
    act dispatch_verified DispatchVerified [visit] {}

    /// The visit was dispatched (现场派发).
    act visit_dispatched VisitDispatched [visit] {
        /// Who is to go.
        engineer: personal,
        /// The number of the dispatch order (服务派发单).
        order: word,
    }

    /// The engineer checked the order and confirmed it with the customer.
    act order_confirmed OrderConfirmed [visit] {
        /// How the recorded problem is to be solved.
        solution_plan: personal,
        /// Whom to meet.
        contact: personal,
        /// Where.
        address: personal,
    }

    /// A time for the visit was agreed with the customer.
    act appointment_agreed AppointmentAgreed [visit] {
        /// The earliest agreed moment.
        from: instant,
        /// The latest agreed moment.
        to: instant,
        /// Who wanted this time: `customer` or `us`.
        asked_by: word,
        /// Where.
        address: personal,
    }

    /// The customer was told that the agreed time falls, and a new one was set.
    act appointment_moved AppointmentMoved [visit] {
        /// The earliest moment of the new time.
        from: instant,
        /// The latest moment of the new time.
        to: instant,
        /// Who wanted the change: `customer` or `us`.
        asked_by: word,
        /// Why.
        reason: personal,
    }

    /// The visit was given up before it was made.
    act visit_abandoned VisitAbandoned [visit] {
        /// Why.
        reason: personal,
    }

    /// The engineer was on site.
    event engineer_arrived EngineerArrived [visit] {
        /// Conduct somebody vouches for: `badge_worn`, `knocked_three_times`,
        /// `waited_for_permission`, `introduced_with_number`.
        attested: words,
    }

    /// The problem was checked against the order with the customer.
    act problem_verified ProblemVerified [visit] {
        /// The problems on the order, as found.
        verified_problems: personal,
        /// Further problems that turned up, or that there were none.
        extra_problems: personal,
        /// Conduct somebody vouches for: `customer_demonstrated`.
        attested: words,
    }

    /// The customer's data was backed up (备份), for a visit or before help from
    /// afar.
    act backup_taken BackupTaken [visit optional] {
        /// Who did it: `customer` or `engineer`.
        by_whom: word,
        /// Whether it holds the data.
        data: flag,
        /// Whether it holds the application.
        application: flag,
        /// Where the copy lies: `other_computer` or `removable_disk`.
        copied_to: word,
    }

    /// The customer refused to make a backup.
    event backup_refused BackupRefused [visit optional] {
        /// Who refused.
        refused_by: personal,
        /// Whether that person was told that all consequences are the customer's.
        consequences_told: flag,
    }

    /// The repair was begun.
    act work_started WorkStarted [visit] {}

    /// The engineer could not solve the problem alone.
    act stuck_on_site StuckOnSite [visit] {
        /// Conduct somebody vouches for: `apologised`, `explained`.
        attested: words,
    }

    /// The company was asked for support.
    act support_requested SupportRequested [visit] {
        /// What is needed.
        request: personal,
    }

    /// A plan for the support was made.
    act support_planned SupportPlanned [visit] {
        /// The plan.
        plan: personal,
    }

    /// The customer allowed that data leave the site.
    event data_removal_authorised DataRemovalAuthorised [visit] {
        /// In which form: `written` or `oral`.
        form: word,
        /// Who allowed it.
        representative: personal,
    }

    /// Customer data was taken to the company.
    act data_taken_away DataTakenAway [visit] {}

    /// The repair ended, with or without success.
    act work_finished WorkFinished [visit] {
        /// Whether the problem is solved.
        solved: flag,
        /// Conduct somebody vouches for: `cause_found`, `doubts_cleared`.
        attested: words,
    }

    /// The repaired system was tried out in the engineer's presence.
    act trial_run_done TrialRunDone [visit] {
        /// At whose hands: `customer` or `engineer`.
        by_whom: word,
    }

    /// The customer was told what had happened.
    act cause_explained CauseExplained [visit] {
        /// The cause.
        cause: personal,
        /// How it was removed.
        fix: personal,
        /// How to avoid it from now on.
        prevention: personal,
    }

    /// The customer signed the on-site service record (现场服务记录单).
    event service_signed ServiceSigned [visit] {
        /// The number of the sheet.
        sheet: word,
        /// Who signed.
        signer: personal,
    }

    /// The order was written off at the company (核销).
    act visit_written_off VisitWrittenOff [visit] {
        /// Whether the problem is solved.
        solved: flag,
        /// What follows an unsolved visit: `next_order` or `headquarters`.
        next: word,
        /// The manager it was written off with.
        manager: personal,
    }

    /// The dispatch order was archived (存档).
    act order_archived OrderArchived [visit] {}
}
