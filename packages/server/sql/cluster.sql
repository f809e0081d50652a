-- Over a cluster each node holds `events` for itself, and this table of the same name in a second database reads and
-- writes them all. The sharding key depends on the row alone, so that a block tried again falls apart the same way.
CREATE TABLE IF NOT EXISTS {all}.events AS {local}.events
ENGINE = Distributed({cluster}, {local}, events, cityHash64(messageId));
