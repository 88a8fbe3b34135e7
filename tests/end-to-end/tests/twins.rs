//! The suite of `tests/twins` on DynamoDB as the emulator has it, in a table of its own.
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use end_to_end::tenant::Stack;
use store::dynamo::DynamoTable;

fn keys(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key");
    vec![key(hash, KeyType::Hash), key(range, KeyType::Range)]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_table_passes_the_twins_suite() {
    let stack = Stack::named();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(stack.region.clone()))
        .endpoint_url(&stack.aws)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(http)
        .build();
    let client = Client::from_conf(config);
    let name = format!("twins-{}", jiff::Timestamp::now().as_millisecond());
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("a name")
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("due")
        .set_key_schema(Some(keys("due_shard", "due_at")))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("an index");
    client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys("pk", "sk")))
        .set_attribute_definitions(Some(["pk", "sk", "due_shard", "due_at"].map(attribute).to_vec()))
        .global_secondary_indexes(index)
        .send()
        .await
        .expect("a table");
    twins::suite(&DynamoTable::new(client.clone(), name.clone()), "emulator").await;
    client.delete_table().table_name(name).send().await.expect("the table goes");
}
