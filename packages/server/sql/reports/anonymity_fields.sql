-- How much each field directly in `properties` tells instances apart, for each event that carries an instance's id.
-- `Anonymity` in anonymity-report.ts explains the columns.
WITH fields AS
(
    SELECT event, iid, arrayJoin(JSONExtractKeysAndValuesRaw(envelope, 'properties')) AS field
    FROM events
    WHERE iid != 0
      AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC')
      AND receivedAt < toDateTime64(addDays({to:Date}, 1), 3, 'UTC')
)
SELECT
    event, name,
    count() AS values,
    min(size) AS smallestGroup,
    uniqExactIf(one, size = 1) AS singledOut,
    length(groupUniqArrayArray(ids)) AS instances,
    -sum(size / total * log2(size / total)) AS entropyBits
FROM
(
    SELECT event, name, size, one, ids, sum(size) OVER (PARTITION BY event, name) AS total
    FROM
    (
        SELECT event, field.1 AS name, field.2 AS value, groupUniqArray(iid) AS ids, length(ids) AS size, any(iid) AS one
        FROM fields
        GROUP BY event, name, value
    )
)
GROUP BY event, name
ORDER BY event, name
