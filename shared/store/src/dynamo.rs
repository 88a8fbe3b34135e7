//! The table in DynamoDB.
use crate::table::{Condition, Item, Key, Query, Table, TableError};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, PutRequest, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    WriteRequest,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::{Number, Value};
use std::collections::HashMap;
use std::time::Duration;

/// The index of what is due; `template.yaml` names it.
const DUE_INDEX: &str = "due";
/// Unprocessed parts of a batch are asked for again this often, with growing waits.
const BATCH_TRIES: u32 = 6;
/// Batches of one call that are under way at once.
const BATCHES_AT_ONCE: usize = 4;

#[derive(Debug, Clone)]
pub struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    async fn get_batch(&self, keys: Vec<Key>) -> Result<Vec<Item>, TableError> {
        let mut wanted = KeysAndAttributes::builder()
            .consistent_read(true)
            .set_keys(Some(keys.iter().map(attributes).collect()))
            .build()
            .map_err(unavailable)?;
        let mut found = Vec::with_capacity(keys.len());
        for attempt in 0..BATCH_TRIES {
            let request = self.client.batch_get_item().request_items(&self.name, wanted);
            let answer = request.send().await.map_err(failed)?;
            let items = answer.responses.and_then(|mut tables| tables.remove(&self.name)).unwrap_or_default();
            found.extend(items.into_iter().map(item).collect::<Result<Vec<_>, _>>()?);
            match answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name)) {
                Some(rest) if !rest.keys().is_empty() => wanted = rest,
                _ => return Ok(found),
            }
            backoff(attempt).await;
        }
        Err(TableError::Unavailable("keys of a batch stayed unprocessed".into()))
    }

    fn write_of(&self, new: Item, condition: Condition) -> Result<TransactWriteItem, TableError> {
        let Check { text, names, values } = check(condition)?;
        let put = Put::builder().table_name(&self.name).set_item(Some(from_item(new)?)).set_condition_expression(text);
        let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
        let put = put.return_values_on_condition_check_failure(OLD);
        Ok(TransactWriteItem::builder().put(put.build().map_err(unavailable)?).build())
    }

    async fn put_batch(&self, items: Vec<Item>) -> Result<(), TableError> {
        let mut writes: Vec<WriteRequest> = items.into_iter().map(write_request).collect::<Result<_, _>>()?;
        for attempt in 0..BATCH_TRIES {
            let answer =
                self.client.batch_write_item().request_items(&self.name, writes).send().await.map_err(failed)?;
            match answer.unprocessed_items.and_then(|mut tables| tables.remove(&self.name)) {
                Some(rest) if !rest.is_empty() => writes = rest,
                _ => return Ok(()),
            }
            backoff(attempt).await;
        }
        Err(TableError::Unavailable("items of a batch stayed unprocessed".into()))
    }
}

#[async_trait]
impl Table for DynamoTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        let request =
            self.client.get_item().table_name(&self.name).set_key(Some(attributes(key))).consistent_read(true);
        let answer = request.send().await.map_err(failed)?;
        answer.item.map(item).transpose()
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        let chunks: Vec<Vec<Key>> = keys.chunks(100).map(<[Key]>::to_vec).collect();
        let batches = stream::iter(chunks.into_iter().map(|chunk| self.get_batch(chunk)));
        let found: Vec<Vec<Item>> = batches.buffered(BATCHES_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn put(&self, new: Item, condition: Condition) -> Result<(), TableError> {
        let Check { text, names, values } = check(condition)?;
        let request = self.client.put_item().table_name(&self.name).set_item(Some(from_item(new)?));
        let request = request.set_condition_expression(text).set_expression_attribute_names(names);
        let request = request.set_expression_attribute_values(values).return_values_on_condition_check_failure(OLD);
        match request.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(PutItemError::ConditionalCheckFailedException(not_met)) => Err(stands(not_met.item)?),
            Err(error) => Err(failed(error)),
        }
    }

    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError> {
        let writes = puts.into_iter().map(|(new, condition)| self.write_of(new, condition));
        let writes = writes.collect::<Result<Vec<_>, _>>()?;
        let outcome = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match outcome.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons.unwrap_or_default();
                let failed = reasons.into_iter().find(|reason| reason.code() == Some("ConditionalCheckFailed"));
                match failed {
                    Some(reason) => Err(stands(reason.item)?),
                    // Another transaction on these items was under way, or the table throttled: nothing was written.
                    None => Err(TableError::Unavailable("the transaction was cancelled".into())),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }

    async fn put_many(&self, items: Vec<Item>) -> Result<(), TableError> {
        let chunks: Vec<Vec<Item>> = items.chunks(25).map(<[Item]>::to_vec).collect();
        stream::iter(chunks.into_iter().map(|chunk| self.put_batch(chunk)))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError> {
        let Check { text, names, values } = check(condition)?;
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(attributes(key)));
        let request = request.set_condition_expression(text).set_expression_attribute_names(names);
        let request = request.set_expression_attribute_values(values).return_values_on_condition_check_failure(OLD);
        match request.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(DeleteItemError::ConditionalCheckFailedException(not_met)) => Err(stands(not_met.item)?),
            Err(error) => Err(failed(error)),
        }
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError> {
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < query.limit {
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", AttributeValue::S(query.pk.clone()))
                .expression_attribute_values(":from", AttributeValue::S(query.from.clone()))
                .expression_attribute_values(":to", AttributeValue::S(query.to.clone()))
                .scan_index_forward(query.forward)
                .limit(i32::try_from(query.limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed)?;
            found.extend(answer.items.unwrap_or_default().into_iter().map(item).collect::<Result<Vec<_>, _>>()?);
            match answer.last_evaluated_key {
                Some(last) if !last.is_empty() => start = Some(last),
                _ => break,
            }
        }
        Ok(found)
    }

    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(DUE_INDEX)
            .key_condition_expression("due_shard = :shard AND due_at <= :until")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .expression_attribute_values(":until", AttributeValue::S(crate::table::instant(until)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        let text =
            |map: &HashMap<String, AttributeValue>, name: &str| map.get(name).and_then(|v| v.as_s().ok().cloned());
        Ok(answer
            .items
            .unwrap_or_default()
            .iter()
            .filter_map(|found| Some(Key::new(text(found, "pk")?, text(found, "sk")?)))
            .collect())
    }
}

/// With a condition that does not hold, the table says what stands.
const OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// A condition as requests take it.
#[derive(Default)]
struct Check {
    text: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

fn check(condition: Condition) -> Result<Check, TableError> {
    Ok(match condition {
        Condition::Always => Check::default(),
        Condition::Absent => Check { text: Some("attribute_not_exists(pk)".into()), ..Check::default() },
        Condition::Equals(name, value) => Check {
            text: Some("#c = :c".into()),
            names: Some(HashMap::from([("#c".into(), name.into())])),
            values: Some(HashMap::from([(":c".into(), attribute(value)?)])),
        },
    })
}

fn stands(standing: Option<HashMap<String, AttributeValue>>) -> Result<TableError, TableError> {
    Ok(TableError::Condition(standing.map(item).transpose()?))
}

async fn backoff(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(25 << attempt)).await;
}

/// Why a request failed. What the table will never take (an item too large, a number out of range) is ours to mend; all else passes.
fn failed<E: std::error::Error + ProvideErrorMetadata>(error: E) -> TableError {
    match error.code() {
        Some("ValidationException") => TableError::never_taken(DisplayErrorContext(&error).to_string()),
        _ => unavailable(error),
    }
}

fn unavailable<E: std::error::Error>(error: E) -> TableError {
    TableError::Unavailable(DisplayErrorContext(&error).to_string())
}

fn attributes(key: &Key) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

fn write_request(new: Item) -> Result<WriteRequest, TableError> {
    let put = PutRequest::builder().set_item(Some(from_item(new)?)).build().map_err(unavailable)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn from_item(new: Item) -> Result<HashMap<String, AttributeValue>, TableError> {
    new.into_iter().map(|(name, value)| attribute(value).map(|value| (name, value))).collect()
}

fn attribute(value: Value) -> Result<AttributeValue, TableError> {
    Ok(match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(bool) => AttributeValue::Bool(bool),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(attribute).collect::<Result<_, _>>()?),
        Value::Object(map) => AttributeValue::M(from_item(map)?),
    })
}

fn item(found: HashMap<String, AttributeValue>) -> Result<Item, TableError> {
    found.into_iter().map(|(name, value)| json(value).map(|value| (name, value))).collect()
}

fn json(value: AttributeValue) -> Result<Value, TableError> {
    let malformed = |why: &str| TableError::Malformed { what: "an attribute", why: why.to_owned() };
    Ok(match value {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(bool) => Value::Bool(bool),
        AttributeValue::N(text) => {
            Value::Number(text.parse::<Number>().map_err(|_| malformed("a number is not one in JSON"))?)
        }
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::L(values) => Value::Array(values.into_iter().map(json).collect::<Result<_, _>>()?),
        AttributeValue::M(map) => Value::Object(item(map)?),
        _ => return Err(malformed("a type that we never write")),
    })
}
