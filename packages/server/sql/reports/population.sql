-- Included in the queries of most reports. `population` has the instances with a heartbeat in the period that match the
-- segment (the filters by facts and country). Each has its facts, its local days, and the reason for leaving it out,
-- which is '' if it counts.
WITH
heard AS
(
    -- A day in UTC overlaps at most two local days, so the day's first and last heartbeat show all local days.
    SELECT
        iid, facts, country, last,
        arrayFilter(
            localDay -> localDay >= {from:Date} AND localDay <= {to:Date},
            if({zone:String} = 'UTC', [day], arrayDistinct([toDate(first, {zone:String}), toDate(last, {zone:String})]))) AS localDays
    FROM instance_days
    WHERE day >= addDays({from:Date}, -1) AND day <= addDays({to:Date}, 1)
),
beats AS
(
    SELECT iid, facts, country, last, arrayJoin(localDays) AS localDay FROM heard
),
lives AS
(
    SELECT
        iid,
        min(instance) AS instance,
        min(first) AS firstSeen,
        max(last) AS lastSeen,
        toDate(firstSeen) < toDate(lastSeen) AS isEstablished
    FROM instances
    GROUP BY iid
),
excluded AS
(
    SELECT iid FROM exclusions WHERE facts = '' AND network = '' GROUP BY iid, instance HAVING argMax(isExcluded, atMs)
),
rules AS
(
    SELECT JSONExtractKeysAndValues(facts, 'String') AS rule
    FROM exclusions
    WHERE facts != ''
    GROUP BY facts
    HAVING argMax(isExcluded, atMs)
),
population AS
(
    SELECT
        seen.iid AS iid,
        seen.facts AS facts,
        seen.country AS country,
        seen.days AS days,
        lives.instance AS instance,
        lives.firstSeen AS firstSeen,
        lives.lastSeen AS lastSeen,
        JSONExtractString(seen.facts, 'environment') AS environment,
        multiIf(
            seen.iid IN (SELECT iid FROM excluded), 'excluded',
            arrayExists(
                rule -> arrayAll(fact -> JSONExtractString(seen.facts, fact.1) = fact.2, rule),
                (SELECT groupArray(rule) FROM rules)), 'excluded by its facts',
            {isEveryEnvironment:Bool} = false AND environment NOT IN {environments:Array(String)}, concat('environment ', environment),
            {isEstablishedOnly:Bool} AND NOT lives.isEstablished, 'seen on one day only',
            '') AS leftOut
    FROM
    (
        SELECT
            iid,
            argMax(facts, (last, facts)) AS facts,
            argMax(country, (last, country)) AS country,
            groupUniqArrayArray(localDays) AS days
        FROM heard
        WHERE notEmpty(localDays)
        GROUP BY iid
    ) AS seen
    INNER JOIN lives ON seen.iid = lives.iid
    WHERE {segment}
)
