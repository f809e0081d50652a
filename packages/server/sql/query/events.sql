SELECT
    source,
    messageId,
    toUnixTimestamp64Milli(receivedAt) AS receivedAtMs,
    country,
    planVersion,
    trimmed,
    envelope
FROM events
WHERE {filters}
ORDER BY receivedAt DESC, messageId DESC, source DESC
LIMIT {limit:UInt32}
