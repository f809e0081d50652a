-- Of how many instances there are events.
SELECT uniqExact(iid) AS instances
FROM events
WHERE iid != 0
  AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC')
  AND receivedAt < toDateTime64(addDays({to:Date}, 1), 3, 'UTC')
