SELECT iid, instance, facts, toYYYYMM(receivedAt) AS month, max(toDate(receivedAt)) AS rd,
    min(timestamp) AS first, max(timestamp) AS last, max(installId) AS installId
FROM {events}
WHERE {isHeartbeat} AND iid != 0
GROUP BY iid, instance, facts, month
