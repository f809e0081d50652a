SELECT anonymousId AS attempt, event, dimensions, facts, toDate(receivedAt) AS rd,
    toInt64(count()) AS count, min(timestamp) AS first, max(timestamp) AS last
FROM {events}
WHERE source = 'installer' AND anonymousId != ''
GROUP BY attempt, event, dimensions, facts, rd
