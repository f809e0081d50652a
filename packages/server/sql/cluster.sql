-- On a cluster, each node keeps its share of the rows in tables of its own. The tables of a second database have the
-- same names and span all nodes: they read from and write to the tables of every node. The sharding key depends only on
-- the row, so that a retried block is divided among the nodes in the same way.
CREATE TABLE IF NOT EXISTS {all}.events AS {local}.events
ENGINE = Distributed({cluster}, {local}, events, cityHash64(messageId));
CREATE TABLE IF NOT EXISTS {all}.contacts AS {local}.contacts
ENGINE = Distributed({cluster}, {local}, contacts, shuffle);
CREATE TABLE IF NOT EXISTS {all}.plan_counts AS {local}.plan_counts
ENGINE = Distributed({cluster}, {local}, plan_counts, cityHash64(day, source, event, path, reason));
CREATE TABLE IF NOT EXISTS {all}.instances AS {local}.instances
ENGINE = Distributed({cluster}, {local}, instances, iid);
CREATE TABLE IF NOT EXISTS {all}.instance_days AS {local}.instance_days
ENGINE = Distributed({cluster}, {local}, instance_days, iid);
CREATE TABLE IF NOT EXISTS {all}.usage_instance_days AS {local}.usage_instance_days
ENGINE = Distributed({cluster}, {local}, usage_instance_days, iid);
CREATE TABLE IF NOT EXISTS {all}.usage_durations AS {local}.usage_durations
ENGINE = Distributed({cluster}, {local}, usage_durations, cityHash64(event, day));
CREATE TABLE IF NOT EXISTS {all}.attempts AS {local}.attempts
ENGINE = Distributed({cluster}, {local}, attempts, cityHash64(attempt));
CREATE TABLE IF NOT EXISTS {all}.rebuilds AS {local}.rebuilds
ENGINE = Distributed({cluster}, {local}, rebuilds, month);
CREATE TABLE IF NOT EXISTS {all}.exclusions AS {local}.exclusions
ENGINE = Distributed({cluster}, {local}, exclusions, iid);
CREATE TABLE IF NOT EXISTS {all}.anonymity AS {local}.anonymity
ENGINE = Distributed({cluster}, {local}, anonymity, toUInt64(atMs));
CREATE TABLE IF NOT EXISTS {all}.releases AS {local}.releases
ENGINE = Distributed({cluster}, {local}, releases, cityHash64(version));
