//! The sandbox from outside: each trap of the platform behaves as documented.

mod access;
mod contract;
mod control;
mod faults;
mod hooks;
mod limits;
mod oauth;
mod pages;
mod records;
mod support;
