SELECT uniqExact(messageId) AS count
FROM events
WHERE {filters}
