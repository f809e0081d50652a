-- A page of the stored events of one instance, in the order in which they were received. Parsing envelopes as JSON is
-- expensive, so the text is first searched for the id. This search misses no event, because the collector's JSON never
-- escapes the characters of a UUID.
SELECT
    source,
    messageId,
    toUnixTimestamp64Milli(receivedAt) AS receivedAtMs,
    sequence,
    country,
    planVersion,
    sentPlanVersion,
    skipped,
    trimmed,
    envelope
FROM events
WHERE position(envelope, {instanceId:String}) > 0
  AND {ofInstance}
  AND receivedAt >= fromUnixTimestamp64Milli({cursorMs:Int64}, 'UTC')
  AND (receivedAt, sequence, messageId, source) > (fromUnixTimestamp64Milli({cursorMs:Int64}, 'UTC'), {cursorSequence:UInt32}, {cursorId:String}, {cursorSource:String})
ORDER BY receivedAt, sequence, messageId, source
LIMIT {limit:UInt32}
