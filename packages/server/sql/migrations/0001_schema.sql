-- Every accepted message. `envelope` is its JSON exactly as accepted; the columns before it are for finding it, and more
-- are added for what a plan declares. The order is that of reading, newest first by keyset. Two settings make an insert
-- exactly-once and durable: a block that comes again under its token is not stored again, and an acknowledged block is on
-- disk. Envelopes are alike: compressed 4 MiB at a time they take a quarter less than at the default of 1 MiB. This is only
-- for their column, because while a part is written each of its hundred streams has a buffer of that size. What is forgotten
-- or has expired leaves the disk soon: a replaced part is deleted after 1 second instead of 8 minutes, expired rows within
-- 1 hour instead of 4. The old part can go because the new one is flushed before it counts.
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
    envelope String CODEC(ZSTD(3)) SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
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
-- The rollups (docs/decisions/0024-rollups.md). Views over `events` fill them, one SELECT each in `sql/rollups/`. They
-- hold only sums, minima and maxima, under the month in which the events were received, so that a month can be rebuilt
-- from `events`. `iid` is a 64-bit hash of an instance's id; it joins tables. Facts and dimensions are JSON texts.

-- Each instance with its facts, and the first and the last heartbeat that told them.
CREATE TABLE IF NOT EXISTS instances
(
    iid UInt64,
    instance String CODEC(ZSTD(3)),
    facts LowCardinality(String),
    month UInt32,
    rd SimpleAggregateFunction(max, Date),
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY month
ORDER BY (iid, instance, facts, month)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    merge_with_ttl_timeout = 3600;

-- An instance's heartbeats on a day in UTC. The first and the last one tell on which local days it was seen, in any zone.
CREATE TABLE IF NOT EXISTS instance_days
(
    iid UInt64,
    day Date,
    facts LowCardinality(String),
    country LowCardinality(String),
    rd Date,
    heartbeats SimpleAggregateFunction(sum, Int64),
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    INDEX by_day day TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(rd)
ORDER BY (iid, day, facts, country, rd)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    merge_with_ttl_timeout = 3600;

-- How often an instance used a feature on a day in UTC.
CREATE TABLE IF NOT EXISTS usage_instance_days
(
    source LowCardinality(String),
    event LowCardinality(String),
    iid UInt64,
    day Date,
    dimensions LowCardinality(String),
    facts LowCardinality(String),
    rd Date,
    count Int64,
    succeeded Int64,
    failed Int64,
    INDEX by_day day TYPE minmax GRANULARITY 1
)
ENGINE = SummingMergeTree((count, succeeded, failed))
PARTITION BY toYYYYMM(rd)
ORDER BY (source, event, iid, dimensions, day, facts, rd)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    merge_with_ttl_timeout = 3600;

-- How long a feature took: 16 buckets an octave, so that a percentile errs by 3.1 % at most, and not below 16 ms.
CREATE TABLE IF NOT EXISTS usage_durations
(
    source LowCardinality(String),
    event LowCardinality(String),
    day Date,
    dimensions LowCardinality(String),
    facts LowCardinality(String),
    bucket UInt16,
    rd Date,
    count Int64,
    INDEX by_day day TYPE minmax GRANULARITY 1
)
ENGINE = SummingMergeTree(count)
PARTITION BY toYYYYMM(rd)
ORDER BY (source, event, day, dimensions, facts, bucket, rd)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    merge_with_ttl_timeout = 3600;

-- What an install did, by the installer's random id for it.
CREATE TABLE IF NOT EXISTS attempts
(
    attempt String CODEC(ZSTD(3)),
    event LowCardinality(String),
    dimensions LowCardinality(String),
    facts LowCardinality(String),
    rd Date,
    count SimpleAggregateFunction(sum, Int64),
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(rd)
ORDER BY (attempt, event, dimensions, facts, rd)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    old_parts_lifetime = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    merge_with_ttl_timeout = 3600;

-- Months of the rollups that have to be rebuilt: the number of the last request, of the last request that also needs the
-- derived columns of `events` to be computed again, and of the last request that is done.
CREATE TABLE IF NOT EXISTS rebuilds
(
    month UInt32,
    asked SimpleAggregateFunction(max, UInt64),
    columnsAsked SimpleAggregateFunction(max, UInt64),
    done SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY month
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- Instances that the maker leaves out of reports, with the reason; the newest row of an instance counts.
CREATE TABLE IF NOT EXISTS exclusions
(
    iid UInt64,
    instance String,
    reason String,
    isExcluded Bool,
    atMs Int64
)
ENGINE = ReplacingMergeTree(atMs)
ORDER BY (iid, instance)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
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
