-- Over a cluster each node holds its tables for itself, and tables of the same names in a second database read and
-- write them all. The sharding key depends on the row alone, so that a block tried again falls apart the same way.
CREATE TABLE IF NOT EXISTS {all}.events AS {local}.events
ENGINE = Distributed({cluster}, {local}, events, cityHash64(messageId));
CREATE TABLE IF NOT EXISTS {all}.contacts AS {local}.contacts
ENGINE = Distributed({cluster}, {local}, contacts, shuffle);
CREATE TABLE IF NOT EXISTS {all}.plan_counts AS {local}.plan_counts
ENGINE = Distributed({cluster}, {local}, plan_counts, cityHash64(day, source, event, path, reason));
