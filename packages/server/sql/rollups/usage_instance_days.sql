SELECT source, event, iid, toDate(timestamp) AS day, dimensions, facts, toDate(receivedAt) AS rd,
    toInt64(count()) AS count, toInt64(countIf(outcome = 1)) AS succeeded, toInt64(countIf(outcome = 0)) AS failed
FROM {events}
WHERE {isUsage}
GROUP BY source, event, iid, day, dimensions, facts, rd
