//! Archive records: the format, how they are kept and how messages are rebuilt from them. Pure.
