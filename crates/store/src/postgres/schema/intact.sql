-- What is defined in the schema that the tables are in, as PostgreSQL writes it down itself. Columns:
-- what, table ("on"), name, text. A trigger that does not fire, also one that enforces a foreign key,
-- is another text.
WITH home AS (SELECT relnamespace AS oid FROM pg_class WHERE oid = '_sqlx_migrations'::regclass),
tables AS (
    SELECT c.* FROM pg_class AS c JOIN home ON c.relnamespace = home.oid
    WHERE c.relkind = 'r' AND c.relname <> '_sqlx_migrations'
)
SELECT 'setting' AS what, '' AS "on", 'session_replication_role' AS name,
    current_setting('session_replication_role') AS text
UNION ALL
SELECT 'table', c.relname::text, c.relname::text,
    string_agg(
        a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || coalesce(' COLLATE ' || (SELECT collname FROM pg_collation AS l
                                    WHERE l.oid = a.attcollation AND l.collname <> 'default'), '')
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY a.attnum)
    || CASE WHEN c.relrowsecurity THEN ' ROW LEVEL SECURITY' ELSE '' END
FROM tables AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY c.oid, c.relname, c.relrowsecurity
UNION ALL
SELECT 'trigger', c.relname::text, t.tgname::text,
    replace(pg_get_triggerdef(t.oid), ' ON ' || quote_ident(n.nspname) || '.', ' ON ')
    || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' DISABLED' END
FROM tables AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_trigger AS t ON t.tgrelid = c.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'constraint', c.relname::text, k.conname::text,
    pg_get_constraintdef(k.oid)
    || CASE WHEN EXISTS (SELECT 1 FROM pg_trigger AS t
                         WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
            THEN ' DISABLED' ELSE '' END
FROM tables AS c JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype IN ('c', 'p', 'u', 'f')
UNION ALL
SELECT 'rule', c.relname::text, r.rulename::text, pg_get_ruledef(r.oid)
FROM tables AS c JOIN pg_rewrite AS r ON r.ev_class = c.oid
UNION ALL
SELECT 'function', '', p.proname::text,
    l.lanname || CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END
    || coalesce(' SET ' || array_to_string(p.proconfig, ' '), '') || p.prosrc
FROM pg_proc AS p JOIN home ON p.pronamespace = home.oid JOIN pg_language AS l ON l.oid = p.prolang
