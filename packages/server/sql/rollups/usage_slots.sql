SELECT source, event, toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS slot, toDate(receivedAt) AS rd,
    toInt64(count()) AS count, toInt64(countIf(outcome = 1)) AS succeeded, toInt64(countIf(outcome = 0)) AS failed
FROM {events}
WHERE {isUsage}
GROUP BY source, event, slot, rd
