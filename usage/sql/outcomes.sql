-- What failed, by how: a small part of the records, and the part that is looked for.
CREATE INDEX usage_record_status_codes ON usage_record (organization_id, status_code, occurred_at)
    WHERE status_code >= 300;
CREATE INDEX usage_record_error_types ON usage_record (organization_id, error_type, occurred_at)
    WHERE error_type IS NOT NULL;
