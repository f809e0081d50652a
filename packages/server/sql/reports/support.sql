-- How many people asked for support, by day and by what the plan keeps beside a contact.
SELECT toString(day) AS onDay, about, count() AS requests
FROM contacts
WHERE day >= {from:Date} AND day <= {to:Date}
GROUP BY onDay, about
ORDER BY onDay, about
LIMIT 100000
