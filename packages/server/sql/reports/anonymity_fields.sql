-- How much each stored field tells instances apart. A field is named by its path in the envelope. A field of an event is
-- counted for each event; `*` stands for all events together, for what every message has: its ids, its context and its
-- country. The message's own id and its times are left out, because they differ by nature. A list counts as a whole,
-- and so does an object that is more than nine levels deep. Values are compared by their hashes, to need less memory.
-- `Anonymity` in anonymity-report.ts explains the columns.
WITH
    objects -> arrayFlatten(arrayMap(
        field -> if(
            startsWith(field.2, '{'),
            arrayMap(inner -> (concat(field.1, '.', replaceAll(inner.1, '.', '\\.')), inner.2), JSONExtractKeysAndValuesRaw(field.2)),
            [field]),
        objects)) AS opened,
    roots AS
    (
        SELECT
            if(event = '', type, event) AS named,
            iid,
            country,
            arrayFilter(
                root -> root.1 IN ('properties', 'traits', 'context', 'userId', 'anonymousId', 'groupId', 'previousId'),
                JSONExtractKeysAndValuesRaw(envelope)) AS found
        FROM events
        WHERE iid != 0
          AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC')
          AND receivedAt < toDateTime64(addDays({to:Date}, 1), 3, 'UTC')
    ),
    fields AS
    (
        SELECT
            named,
            iid,
            arrayJoin(arrayConcat(
                opened(opened(opened(opened(opened(opened(opened(opened(opened(found))))))))),
                if(country = '', [], [('country', toString(country))]))) AS field
        FROM roots
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
        SELECT
            if(startsWith(field.1, 'properties.') OR startsWith(field.1, 'traits.'), named, '*') AS event,
            field.1 AS name,
            sipHash64(field.2) AS value,
            groupUniqArray(iid) AS ids,
            length(ids) AS size,
            any(iid) AS one
        FROM fields
        GROUP BY event, name, value
    )
)
GROUP BY event, name
ORDER BY event, name
