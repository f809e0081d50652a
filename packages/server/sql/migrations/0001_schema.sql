-- Every accepted message. `envelope` is its JSON exactly as accepted. The other columns serve to find messages, and the
-- plan adds more of them (plan-columns.ts). Events are read in the reverse of this table's order, newest first.
--
-- An insert is exactly-once, because a block that is sent again under its token is not stored again. It is also
-- durable: an acknowledged block is on disk.
--
-- Deleted data leaves the disk soon: a replaced part is deleted after 1 second instead of 8 minutes, and expired rows
-- within 1 hour instead of 4. The old part can be deleted so soon because the new part is flushed before it replaces
-- the old one.
--
-- Envelopes resemble each other, so compressing 4 MiB of them at a time saves a quarter of the space that the default
-- of 1 MiB needs. Only their column uses such large blocks, because while a part is written, each of its about one
-- hundred streams has a buffer of that size.
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
-- Contacts that people gave. Nothing links a contact to an event: there is no id and no time except the day, and the
-- contacts of a day are in random order.
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
-- How often the plan dropped or trimmed messages. Inserts are not deduplicated, because two equal counts must both be
-- added.
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
-- The rollups (docs/decisions/0024-rollups.md). A view over `events` fills each of them with the SELECT of the same
-- name in `sql/rollups/`. They hold only sums, minima and maxima, kept apart by the month in which the events were
-- received, so that a month can be rebuilt from `events`. `iid` is a 64-bit hash of an instance's id, by which tables
-- are joined. `facts` and `dimensions` are JSON texts, and `rd` is the day of receipt in UTC.

-- For each instance, the facts that it has reported, with its first and last heartbeat that reported these facts, and
-- the installer's id for the install that it came from, which one of its heartbeats may carry ('' if none did).
CREATE TABLE IF NOT EXISTS instances
(
    iid UInt64,
    instance String CODEC(ZSTD(3)),
    facts LowCardinality(String),
    month UInt32,
    rd SimpleAggregateFunction(max, Date),
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    installId SimpleAggregateFunction(max, String) CODEC(ZSTD(3))
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

-- An instance's heartbeats on a day in UTC. The times of the first and the last one show on which local days it was
-- seen, in any time zone.
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

-- How long a feature took, as a histogram. Each octave (a doubling of the time) has 16 buckets. So percentiles are off
-- by at most 3.1 %, and are exact below 32 ms.
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

-- The events of each install, by the random id that the installer generates for it.
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

-- Months of the rollups that have to be rebuilt. The requests for a month are numbered. `asked` is the last request,
-- `columnsAsked` the last one that also needs the derived columns of `events` to be computed again, and `done` the last
-- one that has been served.
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
-- Instances that the maker leaves out of reports, with the reason: one, all that have the facts in `facts`, a JSON
-- object, or all that send from a network (`iid` is then 0). `network` is a keyed hash. Only the newest row of an
-- instance, of the same facts, or of a network counts.
CREATE TABLE IF NOT EXISTS exclusions
(
    iid UInt64,
    instance String,
    facts String,
    network String,
    reason String,
    isExcluded Bool,
    atMs Int64
)
ENGINE = ReplacingMergeTree(atMs)
ORDER BY (iid, instance, facts, network)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- Which versions are releases, as the maker has said. Only the newest row of a version counts.
CREATE TABLE IF NOT EXISTS releases
(
    version String,
    said LowCardinality(String),
    releasedMs Int64,
    atMs Int64
)
ENGINE = ReplacingMergeTree(atMs)
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- How anonymous the stored data was at each measurement, for the public page: JSON without values (`MeasuredAnonymity`).
-- Only the newest row counts.
CREATE TABLE IF NOT EXISTS anonymity
(
    atMs Int64,
    measured String
)
ENGINE = ReplacingMergeTree(atMs)
ORDER BY tuple()
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- The ids that are being forgotten. They are only in memory: the store writes the SQL of a deletion to a file, so that
-- SQL reads the ids from here instead of containing them. A round serves several requests, which `request` numbers.
-- `text` is the id as a JSON string.
CREATE TABLE IF NOT EXISTS forgetting
(
    round String,
    request UInt32,
    kind LowCardinality(String),
    id String,
    text String
)
ENGINE = Memory;
