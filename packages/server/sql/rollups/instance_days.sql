SELECT iid, toDate(timestamp) AS day, facts, country, toDate(receivedAt) AS rd,
    toInt64(count()) AS heartbeats, min(timestamp) AS first, max(timestamp) AS last
FROM {events}
WHERE {isHeartbeat} AND iid != 0
GROUP BY iid, day, facts, country, rd
