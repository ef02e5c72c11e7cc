//! A connection with the statements it has prepared.

use std::collections::HashMap;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, Statement};

use crate::target::Link;

/// A connection that is used by one at a time.
#[derive(Debug)]
pub(crate) struct Conn {
    link: Link,
    statements: HashMap<&'static str, Statement>,
}

/// A query and the types of its parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) sql: &'static str,
    pub(crate) types: &'static [Type],
}

impl Conn {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            statements: HashMap::new(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.link.client.is_closed()
    }

    pub(crate) fn host(&self) -> usize {
        self.link.host
    }

    pub(crate) fn client(&mut self) -> &mut tokio_postgres::Client {
        &mut self.link.client
    }

    /// Runs statements without parameters.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.link.client.batch_execute(sql).await
    }

    /// The statement of a query, prepared the first time.
    pub(crate) async fn statement(&mut self, query: Query) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(query.sql) {
            return Ok(statement.clone());
        }
        let statement = self
            .link
            .client
            .prepare_typed(query.sql, query.types)
            .await?;
        self.statements.insert(query.sql, statement.clone());
        Ok(statement)
    }

    pub(crate) async fn query(
        &mut self,
        query: Query,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.statement(query).await?;
        self.link.client.query(&statement, parameters).await
    }
}
