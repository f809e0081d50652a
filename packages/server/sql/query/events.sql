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
WHERE {filters}
ORDER BY receivedAt DESC, sequence DESC, messageId DESC, source DESC
LIMIT {limit:UInt32}
