"""Our log: published, cosigned, waited for, compared with the database; and the logs of others that we cosign."""
