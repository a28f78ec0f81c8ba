//! Archives every change of a message: the first reader of the table's stream.
