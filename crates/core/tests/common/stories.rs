//! Stories of the desk's daily life that keep every rule of `unis`.

/// A question answered on the phone.
pub(crate) const PHONE: &str = r#"
call_rang call=1 by=telephone_system
+6s call_answered call=1 rings=2 attested=standard_script
+1m request_received channel=phone kind=question customer=C-7
+1m owner_taken person="Li" department=service
+1m request_recorded phenomenon="which month does the report show" contact="Ms Liu" phone="138" product=hr attested=unambiguous
+1m triaged solvable_by=phone cause_kind=usage in_doubt=false attested=phone_tried_first
+2m guidance_given method=phone guidance="the menu of the month"
+1m result_told result="set the month" attested=accurate
+1m call_ended call=1 reason=finished attested=calm,patient
+5m problem_solved method=phone solution="set the month"
+5m kb_linked entry=KB-17
+1m ticket_closed outcome=solved
"#;

/// A fault of level 1 that ends on site.
pub(crate) const LEVEL_ONE: &str = r#"
call_answered call=1 rings=1 attested=standard_script
+1m request_received channel=phone kind=fault report_form=detailed_phone customer=C-7
+1m owner_taken person="Li" department=service
+1m request_recorded phenomenon="the server is down" contact="Ms Liu" phone="138" attested=unambiguous
+1m request_classified level=1
+1m triaged solvable_by=onsite cause_kind=application in_doubt=false attested=phone_tried_first
+1m consent_given call=1
+10s call_ended call=1 reason=consultation attested=calm,patient
+10m coordination_meeting_held finding="a broken index"
+20m status_told status="somebody will come"
+5m remote_ruled_out reason="no line to the outside"
+5m dispatch_requested visit=1 service_sheet=HS-1 recommendation="look at the index"
+5m dispatch_verified visit=1 by=service_manager
+5m visit_dispatched visit=1 engineer="Wang" order=D-1 by=service_manager
+10m order_confirmed visit=1 solution_plan="rebuild the index" contact="Ms Liu" address="12 Huancheng Road" by=service_engineer
+5m appointment_agreed visit=1 from=@+4h to=@+6h asked_by=us address="12 Huancheng Road" by=service_engineer
+4h engineer_arrived visit=1 attested=knocked_three_times,waited_for_permission,introduced_with_number by=service_engineer
+10m problem_verified visit=1 verified_problems="index" extra_problems="none" attested=customer_demonstrated by=service_engineer
+10m backup_taken visit=1 by_whom=customer data=true application=true copied_to=removable_disk by=service_engineer
+5m work_started visit=1 by=service_engineer
+1h work_finished visit=1 solved=true attested=cause_found,doubts_cleared by=service_engineer
+5m trial_run_done visit=1 by_whom=customer by=service_engineer
+5m cause_explained visit=1 cause="a full disk" fix="index rebuilt" prevention="watch the disk" by=service_engineer
+5m result_told result="it runs" attested=accurate by=service_engineer
+5m service_signed visit=1 sheet=SR-1 signer="Ms Liu" by=service_engineer
+5m problem_solved method=onsite solution="index rebuilt" by=service_engineer
+15h visit_written_off visit=1 solved=true manager="Ms Chen" by=service_engineer
+5m order_archived visit=1
+5m kb_linked entry=KB-18
+1m ticket_closed outcome=solved
"#;

/// A written fault of level 2, parked, solved from afar after a second contact.
pub(crate) const WRITTEN: &str = r#"
request_received channel=email_qq kind=fault report_form=written customer=C-9
+2m owner_taken person="Li" department=service
+1m request_recorded phenomenon="a slow report" contact="Mr Zhou" phone="139" attested=unambiguous
+1m request_classified level=2
+5m engineer_assigned engineer="Wang"
+5m triaged solvable_by=remote cause_kind=application in_doubt=true attested=phone_tried_first
+5m department_consulted department=implementation
+10m coordination_meeting_held finding="a missing index"
+5m parked reason="a method is asked for"
+10m consultation_held finding="add the index" by=service_manager
+10m customer_recontacted outcome=solved
+5m backup_taken by_whom=customer data=true application=true copied_to=other_computer
+10m remote_attempted outcome=solved by=technical_team
+5m result_told result="it is fast" attested=accurate
+5m problem_solved method=remote solution="an index"
+5m kb_linked entry=KB-19
+1m ticket_closed outcome=solved
"#;
