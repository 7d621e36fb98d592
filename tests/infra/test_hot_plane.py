"""The hot plane: no way out, a cache that only its functions can enter, and no credential of anybody else."""

from infra.settings import ServerlessCache
from tests.support.assembly import Assembly

WAYS_OUT = (
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::VPCPeeringConnection",
)


def test_the_network_has_no_way_out(assembly: Assembly) -> None:
    assert assembly.of_type(*WAYS_OUT) == []
    subnets = assembly.of_type("AWS::EC2::Subnet")
    assert len(subnets) == 2
    assert not any(subnet.properties["MapPublicIpOnLaunch"] for subnet in subnets)


def test_the_zones_can_be_chosen(variant: Assembly) -> None:
    zones = [subnet.properties["AvailabilityZone"] for subnet in variant.of_type("AWS::EC2::Subnet")]
    assert zones == ["eu-west-1a", "eu-west-1c"]


def test_its_only_endpoint_is_free_and_leads_to_the_tables_alone(typical: Assembly) -> None:
    (endpoint,) = typical.of_type("AWS::EC2::VPCEndpoint")
    assert endpoint.properties["VpcEndpointType"] == "Gateway"
    (statement,) = endpoint.properties["PolicyDocument"]["Statement"]
    tables = {typical.text(resource, "hot") for resource in statement["Resource"]}
    assert tables == {"cir-typical-identifiers", "cir-typical-contacts", "cir-typical-ledger"}
    assert len(endpoint.properties["RouteTableIds"]) == 2


def test_waiting_for_genesys_adds_an_endpoint_that_leads_to_backfill_alone(variant: Assembly) -> None:
    lambda_endpoint, _ = sorted(
        variant.of_type("AWS::EC2::VPCEndpoint"), key=lambda each: each.properties["VpcEndpointType"] == "Gateway"
    )
    assert variant.text(lambda_endpoint.properties["ServiceName"], "hot") == "com.amazonaws.eu-west-1.lambda"
    (statement,) = lambda_endpoint.properties["PolicyDocument"]["Statement"]
    backfill = "arn:aws:lambda:eu-west-1:ACCOUNT:function:cir-variant-backfill:live"
    assert (statement["Action"], variant.text(statement["Resource"], "hot")) == ("lambda:InvokeFunction", backfill)
    resolver = variant.function("resolver")
    assert ("lambda:InvokeFunction", backfill) in variant.grants(variant.role_of(resolver), "hot")
    environment = resolver.properties["Environment"]["Variables"]
    assert environment["BACKFILL_FUNCTION"] == "cir-variant-backfill:live"


def test_security_groups_let_functions_into_the_cache_and_nothing_else_anywhere(typical: Assembly) -> None:
    groups = {each.logical_id: each.properties for each in typical.of_type("AWS::EC2::SecurityGroup")}
    assert len(groups) == 2
    assert not any("SecurityGroupIngress" in properties for properties in groups.values())
    inline = [rule for properties in groups.values() for rule in properties["SecurityGroupEgress"]]
    # The second is how the library writes "nothing": CloudFormation would read an empty list as "everything".
    assert [(rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in inline] == [
        ("0.0.0.0/0", "tcp", 443, 443),
        ("255.255.255.255/32", "icmp", 252, 86),
    ]
    rules = typical.of_type("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
    ports = {
        (rule.type.rpartition("Group")[2], rule.properties["FromPort"], rule.properties["ToPort"]) for rule in rules
    }
    assert ports == {("Ingress", 6379, 6379), ("Egress", 6379, 6379)}
    (ingress,) = typical.of_type("AWS::EC2::SecurityGroupIngress")
    assert "Functions" in ingress.properties["SourceSecurityGroupId"]["Fn::GetAtt"][0]


def test_only_the_hot_functions_are_in_the_network(assembly: Assembly) -> None:
    placed = {
        function.properties["FunctionName"].rpartition("-")[2]: len(function.properties["VpcConfig"]["SubnetIds"])
        for function in assembly.of_type("AWS::Lambda::Function")
        if "VpcConfig" in function.properties
    }
    assert placed == {"resolver": 2, "invalidator": 2}


def test_the_hot_plane_holds_nobodys_credential(assembly: Assembly) -> None:
    for part in ("resolver", "invalidator"):
        function = assembly.function(part)
        variables = function.properties["Environment"]["Variables"]
        assert {name for name in variables if name.startswith("GENESYS")} == {"GENESYS_FALLBACK"}
        actions = {action for action, _ in assembly.grants(assembly.role_of(function), "hot")}
        assert not [action for action in actions if action.startswith(("secretsmanager:", "ssm:", "sts:"))]


def test_the_hash_key_is_in_no_template_and_encrypted_where_it_is(assembly: Assembly) -> None:
    for part in ("resolver", "invalidator"):
        properties = assembly.function(part).properties
        value = assembly.text(properties["Environment"]["Variables"]["CACHE_HASH_KEY"], "hot")
        assert value == "{{resolve:secretsmanager:CacheHashKey:SecretString:::}}"
        assert assembly.text(properties["KmsKeyArn"], "hot") == "Key"


def test_the_cache_is_entered_by_iam_over_tls(assembly: Assembly) -> None:
    name = assembly.settings.name
    (user,) = assembly.of_type("AWS::ElastiCache::User")
    assert user.properties["AuthenticationMode"] == {"Type": "iam"}
    assert user.properties["UserId"] == user.properties["UserName"] == f"cir-{name}-hot"
    serverless = isinstance(assembly.settings.cache, ServerlessCache)
    kind = "serverlesscache" if serverless else "replicationgroup"
    region = assembly.settings.region
    arns = {f"arn:aws:elasticache:{region}:ACCOUNT:{each}" for each in (f"{kind}:cir-{name}", f"user:cir-{name}-hot")}
    for part in ("resolver", "invalidator"):
        function = assembly.function(part)
        variables = function.properties["Environment"]["Variables"]
        assert assembly.text(variables["CACHE_URL"], "hot").startswith("rediss://")
        assert (variables["CACHE_USER"], variables["CACHE_NAME"]) == (f"cir-{name}-hot", f"cir-{name}")
        assert variables["CACHE_SERVERLESS"] == ("true" if serverless else "false")
        grants = assembly.grants(assembly.role_of(function), "hot")
        assert {resource for action, resource in grants if action == "elasticache:Connect"} == arns


def test_the_serverless_cache_has_limits_and_is_isolated(typical: Assembly) -> None:
    from aws_cdk.assertions import Match

    typical.templates["hot"].has_resource_properties(
        "AWS::ElastiCache::ServerlessCache",
        {
            "Engine": "valkey",
            "CacheUsageLimits": {"DataStorage": {"Maximum": 1, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 30_000}},
            "KmsKeyId": Match.any_value(),
            "SecurityGroupIds": [Match.any_value()],
            "SubnetIds": [Match.any_value(), Match.any_value()],
            "UserGroupId": Match.any_value(),
        },
    )


def test_the_replication_group_is_no_less_guarded(variant: Assembly) -> None:
    from aws_cdk.assertions import Match

    variant.templates["hot"].resource_count_is("AWS::ElastiCache::ServerlessCache", 0)
    variant.templates["hot"].has_resource_properties(
        "AWS::ElastiCache::ReplicationGroup",
        {
            "Engine": "valkey",
            "NumCacheClusters": 2,
            "AutomaticFailoverEnabled": True,
            "MultiAZEnabled": True,
            "TransitEncryptionEnabled": True,
            "TransitEncryptionMode": "required",
            "AtRestEncryptionEnabled": True,
            "KmsKeyId": Match.any_value(),
            "SecurityGroupIds": [Match.any_value()],
            "UserGroupIds": [Match.any_value()],
        },
    )


def test_what_the_network_refuses_is_logged(assembly: Assembly) -> None:
    from aws_cdk.assertions import Match

    assembly.templates["hot"].has_resource_properties(
        "AWS::EC2::FlowLog", {"TrafficType": "REJECT", "ResourceType": "VPC", "LogGroupName": Match.any_value()}
    )
