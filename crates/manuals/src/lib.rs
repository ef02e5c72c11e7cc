//! The service manuals Thirdring ships: rules by process, manuals by organisation.
