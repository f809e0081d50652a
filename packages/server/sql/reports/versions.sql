{population}
SELECT JSONExtractString(facts, 'version') AS version, count() AS instances
FROM population
WHERE leftOut = ''
GROUP BY version
