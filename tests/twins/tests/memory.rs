//! The suite on the in-memory twin.
#[tokio::test]
async fn the_twin_passes_the_suite() {
    twins::suite(&store::memory::MemoryTable::default(), "memory").await;
}
