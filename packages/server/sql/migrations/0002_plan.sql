-- What the plan makes of messages. Columns of `events` that Candor itself fills; those that the plan's fields get are
-- added when a plan is applied.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS country LowCardinality(String) AFTER receivedAt,
    ADD COLUMN IF NOT EXISTS planVersion UInt32 AFTER country,
    ADD COLUMN IF NOT EXISTS trimmed Array(LowCardinality(String)) AFTER planVersion;
-- What is forgotten or has expired leaves the disk: a part that was replaced after a second, instead of 8 minutes, and
-- expired rows within the hour, instead of 4. The old part can go because the new one is flushed before it counts.
ALTER TABLE events
    MODIFY SETTING
        old_parts_lifetime = 1,
        min_compressed_bytes_to_fsync_after_merge = 1,
        merge_with_ttl_timeout = 3600;
-- Contacts that people gave, with nothing that leads back to an event: no id, no time but the day, and in an order
-- that is not that of their arrival.
CREATE TABLE IF NOT EXISTS contacts
(
    day Date,
    shuffle UInt64,
    contact String CODEC(ZSTD(3)),
    about String CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, shuffle)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    merge_with_ttl_timeout = 3600;
-- How often the plan refused a message or took something out of one. Without deduplication: equal counts add up.
CREATE TABLE IF NOT EXISTS plan_counts
(
    day Date,
    source LowCardinality(String),
    event LowCardinality(String),
    path LowCardinality(String),
    reason LowCardinality(String),
    count UInt64,
    planVersion UInt32
)
ENGINE = SummingMergeTree(count)
PARTITION BY toYYYYMM(day)
ORDER BY (day, planVersion, source, event, path, reason)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
-- The keys by which instances prove themselves. The first one of an instance counts.
CREATE TABLE IF NOT EXISTS instance_keys
(
    instanceId String,
    publicKey String,
    registeredAt DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (instanceId, registeredAt, publicKey)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
-- The ids that are being forgotten, in memory alone: the text of a deletion is written to a file, so they do not stand
-- in it.
CREATE TABLE IF NOT EXISTS forgetting
(
    round String,
    id String
)
ENGINE = Memory;
