//! The attribute macros by which types and modules are declared.
