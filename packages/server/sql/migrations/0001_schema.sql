-- Every accepted message. `envelope` is its JSON exactly as accepted; the columns before it are for finding it, and more
-- are added for what a plan declares. The order is that of reading, newest first by keyset. Two settings make an insert
-- exactly-once and durable: a block that comes again under its token is not stored again, and an acknowledged block is on
-- disk. Envelopes are alike: compressed 4 MiB at a time they take a quarter less than at the default of 1 MiB. What is
-- forgotten or has expired leaves the disk soon: a replaced part is deleted after 1 second instead of 8 minutes, expired
-- rows within 1 hour instead of 4. The old part can go because the new one is flushed before it counts.
CREATE TABLE IF NOT EXISTS events
(
    source LowCardinality(String),
    type LowCardinality(String),
    event LowCardinality(String),
    messageId String CODEC(ZSTD(3)),
    userId String CODEC(ZSTD(3)),
    anonymousId String CODEC(ZSTD(3)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(3)),
    receivedAt DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(3)),
    sequence UInt32,
    country LowCardinality(String),
    planVersion UInt32,
    sentPlanVersion UInt32,
    skipped UInt32,
    trimmed Array(LowCardinality(String)),
    envelope String CODEC(ZSTD(3)),
    INDEX by_message_id messageId TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_user_id userId TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_anonymous_id anonymousId TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(receivedAt)
ORDER BY (receivedAt, sequence, messageId, source)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_compress_block_size = 4194304,
    max_compress_block_size = 4194304,
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
-- How often the plan dropped a message or trimmed one. Without deduplication: equal counts add up.
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
-- The ids that are being forgotten, in memory only: the store writes the text of a deletion to a file, so the ids must
-- not be in that text. A round serves several requests; `text` is the id as JSON writes it.
CREATE TABLE IF NOT EXISTS forgetting
(
    round String,
    request UInt32,
    kind LowCardinality(String),
    id String,
    text String
)
ENGINE = Memory;
