//! Tells the people of a room that a message changed: the second reader of the table's stream.
