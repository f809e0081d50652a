-- Instances that send from two places at once, because their state folder was copied. Each start of the SDK on a folder
-- adds its own nonce (`boot`) to its heartbeats. On one folder the starts follow one another, so the times of two
-- starts overlap only if there are two folders. If any two starts overlap, then so do two neighbours in the order of
-- their first heartbeats. `boot` is read from the envelope, because a plan need not make a column for it.
WITH arraySort(groupArray((first, last))) AS spans
SELECT
    instanceId,
    count() AS boots,
    toUnixTimestamp64Milli(min(first)) AS firstSeenMs,
    toUnixTimestamp64Milli(max(last)) AS lastSeenMs
FROM
(
    SELECT
        {instanceIdOf} AS instanceId,
        JSONExtractString(envelope, 'properties', 'boot') AS boot,
        min(timestamp) AS first,
        max(timestamp) AS last
    FROM events
    WHERE source = 'server'
      AND type = 'track'
      AND event = 'Instance Active'
      AND timestamp >= toDateTime64({from:Date}, 3, 'UTC')
      AND timestamp < toDateTime64(addDays({to:Date}, 1), 3, 'UTC')
      AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC')
    GROUP BY instanceId, boot
    HAVING instanceId != '' AND match(boot, '^[0-9a-f]{16}$')
)
GROUP BY instanceId
HAVING arrayExists((one, next) -> next.1 < one.2, arrayPopBack(spans), arrayPopFront(spans))
ORDER BY lastSeenMs DESC, instanceId
LIMIT {limit:UInt32}
