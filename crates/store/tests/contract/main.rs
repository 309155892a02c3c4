//! The contract of the port: one function a rule, told of both back ends; and what is true of one
//! of them alone, the refusals of its schema above all.

mod admission;
mod backup;
mod batch;
mod checkpoints;
mod evidence;
mod fixture;
mod history;
mod house;
mod intact;
mod postgres;
mod rebuild;
mod rules;
mod sqlite;
mod time;
mod vanish;
mod webhooks;
