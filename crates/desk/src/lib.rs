//! A service desk that keeps its manual: the facade services embed.
