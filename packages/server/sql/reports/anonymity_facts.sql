-- All facts of the counted instances taken together: how many different combinations there are, how many instances
-- share the rarest one, and how many have a combination that no other instance has.
{population}
SELECT
    count() AS values,
    min(size) AS smallestGroup,
    countIf(size = 1) AS singledOut,
    sum(size) AS instances,
    -sum(size / all * log2(size / all)) AS entropyBits
FROM (SELECT facts, count() AS size, sum(size) OVER () AS all FROM population WHERE leftOut = '' GROUP BY facts)
